/** The screens of the pictures, in CSS pixels. */
export const SIZES = {
  phone: { width: 390, height: 844 },
  wide: { width: 1440, height: 900 },
};
